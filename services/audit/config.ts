import { setting } from '@placet/runtime';
import * as z from 'zod';

export const auditSettings = {
  mongodbUrl: setting(
    'PLACET_MONGODB_URL',
    z
      .string()
      .regex(/^mongodb(\+srv)?:\/\//, 'must begin with mongodb:// or mongodb+srv://')
      .optional(),
    'The MongoDB that keeps the record. Without it the record is an SQLite file in the data directory.',
    '',
  ),
};
