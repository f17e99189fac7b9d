import type { NewRecord } from '../store.ts';

/** A record as `recordOf` makes it of the message with this sequence. */
export function event(seq: number): NewRecord {
  return {
    id: `event-${seq}`,
    stream: 'PLACET',
    seq,
    subject: `placet.act.support.act_${seq}.action.requested`,
    type: 'action.requested',
    time: '2026-01-01T00:00:00.000Z',
    recordedAt: '2026-01-01T00:00:01.000Z',
    agent: 'support',
    action: `act_${seq}`,
    case: null,
    body: `{"id":"event-${seq}"}`,
    seal: `k1.${seq}`,
    flaw: null,
  };
}

export function events(first: number, last: number): NewRecord[] {
  return Array.from({ length: last - first + 1 }, (_, n) => event(first + n));
}

export function change(seq: number): NewRecord {
  return {
    ...event(seq),
    id: `config:placet-agents:support:${seq}`,
    stream: 'PLACET_CONFIG',
    subject: '$KV.placet-agents.support',
    type: 'config.changed',
    action: null,
  };
}
