import { resolve } from 'node:path';
import { SubscriberName } from '@placet/events';
import { explain, UsersProblem } from '@placet/runtime';
import { makeSecrets } from './make-secrets.ts';

/**
 * `npm run deploy:secrets -- DIRECTORY [SUBSCRIBER…]`: makes every secret of a deployment, once. What is there stays;
 * what is missing, such as the password of a new subscriber, is added.
 */
try {
  const [directory, ...subscribers] = process.argv.slice(2);
  if (!directory) throw new UsersProblem('Say where the secrets go: npm run deploy:secrets -- DIRECTORY');
  const wrong = subscribers.filter((name) => !SubscriberName.safeParse(name).success);
  if (wrong.length > 0) {
    throw new UsersProblem(
      `A subscriber's name has lower-case letters, digits and hyphens, at most 32: not ${wrong.join(', ')}`,
    );
  }
  for (const name of makeSecrets(resolve(directory), subscribers)) process.stdout.write(`wrote ${name}\n`);
} catch (error) {
  console.error(explain(error));
  process.exitCode = 1;
}
