import { RecordsQuestion, requests } from '@placet/events';
import { answer, fitting, type RunningService, type ServiceEnvironment, startService } from '@placet/runtime';
import { startSequencer } from './sequencer.ts';
import type { AuditQuery, AuditStore, Page } from './store.ts';

export function startAuditService(
  environment: ServiceEnvironment,
  { store }: { store: AuditStore },
): Promise<RunningService> {
  return startService('audit', environment, async ({ context, alarm, resources }) => {
    resources.add('record', () => store.close());
    const sequencer = startSequencer(context, alarm, resources, store);
    answer(context, resources, requests.records, RecordsQuestion, async (query): Promise<Page> => {
      const { records, next } = await store.query(query as AuditQuery);
      const page = fitting(records);
      return { records: page, next: page.length < records.length ? (page.at(-1)?.index ?? null) : next };
    });
    return {
      unready: () => {
        const problem = sequencer.problem();
        return problem === null ? [] : [`audit: the record cannot be written: ${problem}`];
      },
    };
  });
}
