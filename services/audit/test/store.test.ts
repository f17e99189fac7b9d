import { inject } from 'vitest';
import { mongoPlace, sqlitePlace } from './places.ts';
import { auditStoreContract } from './store-contract.ts';

auditStoreContract('SQLite', sqlitePlace);
auditStoreContract(inject('mongo').kind, mongoPlace);
