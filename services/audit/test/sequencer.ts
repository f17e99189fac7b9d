import { openMongoAuditStore } from '../mongo-store.ts';
import { openSqliteAuditStore } from '../sqlite-store.ts';
import { events } from './records.ts';
import type { Where } from './sequencer-process.ts';

const where = JSON.parse(process.argv[2] ?? '') as Where;
const store =
  'sqlite' in where ? await openSqliteAuditStore(where.sqlite) : await openMongoAuditStore(where.mongo);
process.stdout.write('running\n');

for (;;) {
  const { size, positions } = await store.head();
  await store.append(events(positions.PLACET + 1, positions.PLACET + 25), size);
}
