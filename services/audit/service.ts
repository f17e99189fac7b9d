import { RecordsQuestion, requests } from '@placet/events';
import { answer, type RunningService, type ServiceEnvironment, startService } from '@placet/runtime';
import { startSequencer } from './sequencer.ts';
import type { AuditQuery, AuditStore } from './store.ts';

export function startAuditService(
  environment: ServiceEnvironment,
  { store }: { store: AuditStore },
): Promise<RunningService> {
  return startService('audit', environment, async ({ context, alarm, resources }) => {
    resources.add('record', () => store.close());
    const sequencer = startSequencer(context, alarm, resources, store);
    answer(context, resources, requests.records, RecordsQuestion, (query) =>
      store.query(query as AuditQuery),
    );
    return {
      unready: () => {
        const problem = sequencer.problem();
        return problem === null ? [] : [`audit: the record cannot be written: ${problem}`];
      },
    };
  });
}
