import { configBuckets, SignerKey } from '@placet/events';
import type { Signer } from '@placet/proof';
import {
  openConfigStore,
  publishSigner,
  type RunningService,
  type ServiceEnvironment,
  startService,
  trustedOf,
} from '@placet/runtime';
import { answerActs } from './answers/acts.ts';
import { answerLists } from './answers/lists.ts';
import type { DecisionsConfig } from './config.ts';
import { createExecute } from './execute.ts';
import { startFeed } from './feed.ts';
import { createRecords } from './records.ts';
import type { OutcomeStore } from './store.ts';
import { startSweep } from './sweep.ts';

export function startDecisionsService(
  environment: ServiceEnvironment,
  options: { config: DecisionsConfig; signer: Signer; store: OutcomeStore },
): Promise<RunningService> {
  return startService('decisions', environment, async (parts) => {
    const { context, bus, alarm, resources } = parts;
    const { config, signer, store } = options;
    resources.add('store of outcomes', () => store.close());
    const signers = await openConfigStore(context, alarm, resources, {
      bucket: configBuckets.signers,
      schema: SignerKey,
    });
    await publishSigner(signers, 'decisions', signer.publicJwk);
    const execute = createExecute(context, bus, signer);
    const feed = startFeed(parts, store);
    const records = createRecords(parts, store, () => trustedOf(signers));
    answerActs(parts, { records, execute, config });
    answerLists(parts, { records, store });
    startSweep(parts, store, execute, config);
    const behind = () => feed.problem();
    return {
      unready: () => (behind() === null ? [] : [`decisions: the outcomes cannot be stored: ${behind()}`]),
    };
  });
}
