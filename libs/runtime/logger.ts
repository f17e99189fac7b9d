import { type DestinationStream, pino } from 'pino';

export type Logger = pino.Logger;
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'silent';

/** What must never be written: credentials, and what agents send, which may hold anything. */
const redacted = [
  'authorization',
  'req.headers.authorization',
  'headers.authorization',
  'token',
  'key',
  'secret',
  'password',
  'pass',
  'payload',
  '*.token',
  '*.key',
  '*.secret',
  '*.password',
  '*.pass',
  '*.payload',
  '*.authorization',
  '*.headers.authorization',
  'data.payload',
  '*.data.payload',
];

/** Logs go to stderr: stdout belongs to what a program was asked to print. */
export function createLogger(options: { level: LogLevel; destination?: DestinationStream }): Logger {
  return pino(
    {
      level: options.level,
      base: null,
      redact: { paths: redacted, censor: '[redacted]' },
      formatters: { level: (label) => ({ level: label }) },
      timestamp: pino.stdTimeFunctions.isoTime,
    },
    options.destination ?? pino.destination({ fd: 2, sync: true }),
  );
}
