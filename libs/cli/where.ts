import { type Terminal, WrongUsage } from './verb.ts';

export const defaultUrl = 'http://127.0.0.1:7070';

/** Where Placet is, and who asks it. `whose` are those whose token it takes. */
export const readWhere = (env: Terminal['env'], whose: string): { url: string; token: string } => {
  const token = env['PLACET_TOKEN'];
  if (!token) throw new WrongUsage(`set PLACET_TOKEN to the token of ${whose}`);
  // What is wrong with it is not told with it.
  if (!/^[\w-]{1,200}$/.test(token))
    throw new WrongUsage('PLACET_TOKEN is no token: it has characters that none has');
  const url = env['PLACET_URL'] || defaultUrl;
  if (!URL.canParse(url)) throw new WrongUsage('PLACET_URL is no address');
  if (new URL(url).username !== '' || new URL(url).password !== '')
    throw new WrongUsage('PLACET_URL holds a name or a password: leave them out');
  return { url, token };
};
