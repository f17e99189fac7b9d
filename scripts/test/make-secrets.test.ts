import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { takeFileLock } from '@placet/runtime';
import { releaseAfterEach, temporaryDirectory } from '@placet/testing/cleanup.ts';
import { expect, test } from 'vitest';
import { makeSecrets, secretFiles } from '../deploy/make-secrets.ts';

releaseAfterEach();

const contents = (dir: string) =>
  Object.fromEntries(readdirSync(dir).map((file) => [file, readFileSync(join(dir, file), 'utf8')]));

test('secrets are made once, and only their owner can read them', () => {
  const dir = join(temporaryDirectory(), 'secrets');
  const made = makeSecrets(dir);
  expect(made.toSorted()).toEqual(readdirSync(dir).toSorted());
  expect(statSync(dir).mode & 0o777).toBe(0o700);
  for (const file of made) expect(statSync(join(dir, file)).mode & 0o777, file).toBe(0o600);
  const before = contents(dir);
  expect(makeSecrets(dir)).toEqual([]);
  expect(contents(dir)).toEqual(before);
});

test('what is missing is made again, and nothing else but the list of passwords changes', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir);
  const before = contents(dir);
  const [policy, routes] = [secretFiles.natsPassword('policy'), secretFiles.natsRoutes];
  for (const file of [policy, routes]) rmSync(join(dir, file));
  expect(makeSecrets(dir).toSorted()).toEqual([secretFiles.natsPasswords, policy, routes].toSorted());
  const after = contents(dir);
  const changed = Object.keys(after).filter((file) => after[file] !== before[file]);
  expect(changed.toSorted()).toEqual([secretFiles.natsPasswords, policy, routes].toSorted());
  expect(after[secretFiles.natsPasswords]).toContain(after[policy]?.trim());
});

test('a new signing key is trusted beside the one that it replaces', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir);
  const trusted = () => JSON.parse(contents(dir)[secretFiles.trustedKeys] ?? '').keys as object[];
  const before = trusted();
  expect(before).toHaveLength(2);
  rmSync(join(dir, secretFiles.policyKey));
  expect(makeSecrets(dir)).toEqual([secretFiles.policyKey, secretFiles.trustedKeys]);
  expect(trusted()).toHaveLength(3);
  expect(trusted().slice(0, 2)).toEqual(before);
  expect(makeSecrets(dir)).toEqual([]);
});

test('a subscriber gets a password beside the others', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir);
  const made = makeSecrets(dir, ['billing']);
  const password = secretFiles.natsPassword('subscriber-billing');
  expect(made.toSorted()).toEqual([password, secretFiles.natsSubscribers].toSorted());
  expect(contents(dir)[secretFiles.natsSubscribers]).toContain(contents(dir)[password]?.trim());
});

test('a subscriber that is not named again stays, until its password is removed', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir, ['billing']);
  expect(makeSecrets(dir, ['crm'])).toContain(secretFiles.natsSubscribers);
  const accounts = () => contents(dir)[secretFiles.natsSubscribers]?.match(/SUBSCRIBER_\w+/g);
  expect(accounts()).toEqual(['SUBSCRIBER_BILLING', 'SUBSCRIBER_CRM']);
  rmSync(join(dir, secretFiles.natsPassword('subscriber-billing')));
  makeSecrets(dir);
  expect(accounts()).toEqual(['SUBSCRIBER_CRM']);
});

test('the routes of three nodes carry the one password that the nodes ask for', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir);
  const text = readFileSync(join(dir, secretFiles.natsRoutes), 'utf8');
  const password = /^ROUTE_PASSWORD: "([\w-]{32})"$/m.exec(text)?.[1];
  expect(password).toBeDefined();
  for (const node of [1, 2, 3]) expect(text).toContain(`"nats://route:${password}@nats-${node}:6222"`);
});

test('an empty secret, or one that others can read, is no secret', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir);
  const file = join(dir, secretFiles.natsPassword('gateway'));
  const password = readFileSync(file);
  writeFileSync(file, '\n');
  expect(() => makeSecrets(dir)).toThrow(`${file} is empty`);
  writeFileSync(file, password);
  chmodSync(file, 0o644);
  expect(() => makeSecrets(dir)).toThrow(`chmod 600 '${file}'`);
  chmodSync(file, 0o600);
  chmodSync(dir, 0o755);
  expect(() => makeSecrets(dir)).toThrow(`chmod 700 '${dir}'`);
  chmodSync(dir, 0o700);
  expect(makeSecrets(dir)).toEqual([]);
});

test('one at a time', () => {
  const dir = temporaryDirectory();
  makeSecrets(dir);
  const lock = takeFileLock(join(dir, '.lock'));
  expect(() => makeSecrets(dir)).toThrow('Another deploy:secrets is at work');
  lock?.release();
  expect(makeSecrets(dir)).toEqual([]);
});
