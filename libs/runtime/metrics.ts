import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';

export type Metrics = ReturnType<typeof createMetrics>;

/** All metrics of a process. Labels are from closed sets: never an agent's name or an id. */
export function createMetrics() {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry });
  return {
    registry,
    appends: new Counter({
      name: 'placet_appends_total',
      help: 'Events offered to the stream, by type and result (stored, conflict, failed).',
      labelNames: ['type', 'result'],
      registers,
    }),
    handled: new Counter({
      name: 'placet_handled_total',
      help: 'Messages handled, by consumer and outcome (done, retry, dead).',
      labelNames: ['consumer', 'outcome'],
      registers,
    }),
    counted: new Counter({
      name: 'placet_counted_total',
      help: 'Uses of limits and budgets, by kind and result (counted, over, unreadable).',
      labelNames: ['kind', 'result'],
      registers,
    }),
    alarms: new Counter({
      name: 'placet_alarms_total',
      help: 'Alarms raised, by kind.',
      labelNames: ['kind'],
      registers,
    }),
    checks: new Counter({
      name: 'placet_checks_total',
      help: 'Answers to checks, by decision.',
      labelNames: ['decision'],
      registers,
    }),
    httpSeconds: new Histogram({
      name: 'placet_http_seconds',
      help: 'Time to answer, by route, method and status.',
      labelNames: ['route', 'method', 'status'],
      buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30, 60],
      registers,
    }),
    notifications: new Counter({
      name: 'placet_notifications_total',
      help: 'Deliveries, by channel and result (sent, retry, failed).',
      labelNames: ['channel', 'result'],
      registers,
    }),
    waitingMessages: new Gauge({
      name: 'placet_waiting_messages',
      help: 'Messages that wait until their place takes one more, by channel.',
      labelNames: ['channel'],
      registers,
    }),
    openApprovals: new Gauge({
      name: 'placet_open_approvals',
      help: 'Approvals that wait for people.',
      registers,
    }),
    auditLag: new Gauge({
      name: 'placet_audit_lag_events',
      help: 'Events in the stream that are not on the record yet.',
      registers,
    }),
    waiters: new Gauge({
      name: 'placet_waiting_callers',
      help: 'Callers that wait for a decision.',
      registers,
    }),
  };
}
