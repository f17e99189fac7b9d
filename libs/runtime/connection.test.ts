import { expect, test } from 'vitest';
import { assertVersion, natsFloor } from './connection.ts';

test.each([natsFloor, '2.12.1', '2.15.1', '2.12.0-RC.1', '3.0.0'])(
  'nats-server %s is new enough',
  (version) => {
    expect(() => assertVersion(version)).not.toThrow();
  },
);

test.each(['0', '', '1.99.9', '2.9.10', '2.11.12', 'unknown'])(
  'nats-server "%s" is refused, with what is needed',
  (version) => {
    expect(() => assertVersion(version)).toThrow(`Placet needs ${natsFloor}`);
  },
);
