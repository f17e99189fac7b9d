import { configStream, type RecordsAnswer, RecordsQuestion, requests } from '@placet/events';
import type { Jwks } from '@placet/proof';
import {
  answer,
  fitting,
  type RunningService,
  type ServiceEnvironment,
  startService,
  watchStreams,
} from '@placet/runtime';
import type * as z from 'zod';
import { startSequencer } from './sequencer.ts';
import type { AuditQuery, AuditStore } from './store.ts';

export function startAuditService(
  environment: ServiceEnvironment,
  { store, trusted }: { store: AuditStore; trusted: Jwks },
): Promise<RunningService> {
  return startService('audit', environment, async (parts) => {
    const { resources } = parts;
    resources.add('record', () => store.close());
    const sequencer = startSequencer(parts, store, trusted);
    const watched = watchStreams(parts, [configStream]);
    answer(
      parts,
      requests.records,
      RecordsQuestion,
      async (query): Promise<z.infer<typeof RecordsAnswer>> => {
        const { records, next } = await store.query(query as AuditQuery);
        const page = fitting(
          records.map(({ recordedAt, ...record }) => ({ ...record, recorded_at: recordedAt })),
        );
        return { records: page, next: page.length < records.length ? (page.at(-1)?.index ?? null) : next };
      },
    );
    return {
      unready: () => {
        const problem = sequencer.problem();
        return [
          ...watched.problems(),
          ...(problem === null ? [] : [`audit: the record cannot be written: ${problem}`]),
        ];
      },
    };
  });
}
