import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freshDatabase } from '@placet/cluster/mongodb.ts';
import { inject } from 'vitest';
import type {} from '../../../libs/testing/mongodb-global-setup.ts';
import { openMongoAuditStore } from '../mongo-store.ts';
import { openSqliteAuditStore } from '../sqlite-store.ts';
import type { Place } from './store-contract.ts';

export async function sqlitePlace(): Promise<Place & { path: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'placet-audit-'));
  const path = join(directory, 'data', 'audit.sqlite');
  return {
    path,
    where: { sqlite: path },
    open: () => openSqliteAuditStore(path),
    remove: () => rm(directory, { recursive: true }),
  };
}

export async function mongoPlace(): Promise<Place & { url: string; database: string }> {
  const { url, database, drop } = freshDatabase(inject('mongo').url);
  return {
    url,
    database,
    where: { mongo: { url, database } },
    open: () => openMongoAuditStore({ url, database }),
    remove: drop,
  };
}
