import { randomBytes } from 'node:crypto';

export const bot = { appId: 'A0PLACET', botId: 'B0PLACET', userId: 'U0PLACETBOT', name: 'placet' };

export function randomId(): string {
  return randomBytes(8).toString('hex');
}
