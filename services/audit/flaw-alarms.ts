import type { Flaw } from '@placet/events';
import type { RaiseAlarm } from '@placet/runtime';
import type { AuditStream, NewRecord } from './store.ts';

const words: Record<Flaw, string> = {
  not_an_event: 'is no event of Placet',
  wrong_subject: 'is not under the subject of the event that it holds',
  wrong_proof: 'tells a decision, and its proof is not that of who decides',
  no_seal: 'has no seal, and Placet writes none without',
};

/** Raises an alarm for each record with a flaw; once a message, however often it is read before it is stored. */
export function createFlawAlarms(alarm: RaiseAlarm): (records: NewRecord[]) => Promise<void> {
  const told = new Map<AuditStream, number>();

  return async (records) => {
    const untold = records.filter(({ stream, seq, flaw }) => flaw && seq > (told.get(stream) ?? 0));
    await Promise.all(untold.map((record) => alarm(alarmOf(record))));
    for (const { stream, seq } of untold) told.set(stream, Math.max(seq, told.get(stream) ?? 0));
  };
}

function alarmOf({ stream, seq, subject, flaw, agent, action }: NewRecord): Parameters<RaiseAlarm>[0] {
  const what = flaw ?? 'not_an_event';
  return {
    kind: 'flawed_record',
    about: `${stream}/${seq}`,
    message: `Message ${seq} of ${stream} under ${subject} ${words[what]}. It is on the record with this flaw.`,
    details: {
      flaw: what,
      stream,
      seq: String(seq),
      ...(agent === null ? {} : { agent }),
      ...(action === null ? {} : { action_id: action }),
    },
  };
}
