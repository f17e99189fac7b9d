import { type RecordsAnswer, RecordsQuestion, requests } from '@placet/events';
import { answer, fitting, type RunningService, type ServiceEnvironment, startService } from '@placet/runtime';
import type * as z from 'zod';
import { startSequencer } from './sequencer.ts';
import type { AuditQuery, AuditStore } from './store.ts';

export function startAuditService(
  environment: ServiceEnvironment,
  { store }: { store: AuditStore },
): Promise<RunningService> {
  return startService('audit', environment, async (parts) => {
    const { context, alarm, resources } = parts;
    resources.add('record', () => store.close());
    const sequencer = startSequencer(context, alarm, resources, store);
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
        return problem === null ? [] : [`audit: the record cannot be written: ${problem}`];
      },
    };
  });
}
