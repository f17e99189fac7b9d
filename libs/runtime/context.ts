import type { Service } from '@placet/events';
import type { Sealer } from '@placet/proof';
import type { Nats } from './connection.ts';
import type { Logger } from './logger.ts';
import type { Metrics } from './metrics.ts';
import type { Sender } from './sender.ts';

export const sealHeader = 'Placet-Seal';

/** What every part of a service that touches the broker is given. `sealer` is null where a service holds no key. */
export type BusContext = Nats & {
  sender: Sender;
  service: Service;
  sealer: Sealer | null;
  logger: Logger;
  metrics: Metrics;
};

/** True where the reader holds no key: it then checks proofs, not seals. */
export function sealHolds(
  context: Pick<BusContext, 'sealer'>,
  subject: string,
  body: Uint8Array | string,
  seal: string | undefined,
): boolean {
  return context.sealer === null || context.sealer.check(subject, body, seal);
}
