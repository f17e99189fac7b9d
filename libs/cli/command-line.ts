import { nearest } from '@placet/policy';
import { notifyTest } from './notify-test.ts';
import { policyBacktest } from './policy-backtest.ts';
import { policyTest } from './policy-test.ts';
import { printable } from './printable.ts';
import { type ExitCode, exitCodes, type Terminal, type Verb, WrongUsage } from './verb.ts';

const verbs: readonly Verb[] = [policyTest, policyBacktest, notifyTest];

export const runCommandLine = async (args: string[], terminal: Terminal): Promise<ExitCode> => {
  try {
    const verb = verbs.find(({ name }) => name.split(' ').every((word, n) => args[n] === word));
    if (asksForHelp(args)) {
      terminal.print(verb?.help ?? overview);
      return exitCodes.passed;
    }
    if (!verb) throw new WrongUsage(noSuchVerb(args));
    return await verb.run(args.slice(verb.name.split(' ').length), terminal);
  } catch (error) {
    const problem = wordsFor(error);
    if (problem === undefined) throw error;
    terminal.complain(`placet: ${printable(problem)}\n`);
    return exitCodes.wrongUsage;
  }
};

const overview = `Usage: placet VERB …

${verbs.map(({ name, summary }) => `  placet ${name}   ${summary}\n`).join('')}
placet VERB --help tells more.
`;

const asksForHelp = (args: readonly string[]): boolean => {
  const end = args.indexOf('--');
  return args.slice(0, end < 0 ? undefined : end).some((arg) => arg === '--help' || arg === '-h');
};

const noSuchVerb = (args: readonly string[]): string => {
  const names = verbs.map(({ name }) => name);
  const all = `there are: ${names.join(', ')} (placet --help tells more)`;
  const [first] = args;
  if (first === undefined) return `say what to do; ${all}`;
  if (first.startsWith('-')) return `the verb comes before options such as ${first}; ${all}`;
  const typed = words(args, 2);
  const like = nearest(typed, names) ?? nearest(first, names);
  return `there is no verb "${typed}"${like ? `: did you mean "${like}"?` : `; ${all}`}`;
};

/** A verb has two words; what follows is a file, or an option. */
const words = (args: readonly string[], most: number): string => {
  const option = args.findIndex((arg) => arg.startsWith('-'));
  return args.slice(0, option < 0 ? most : Math.min(option, most)).join(' ');
};

/** What the user can put right, in words. */
const wordsFor = (error: unknown): string | undefined => {
  if (error instanceof WrongUsage) return error.message;
  const isOfArguments =
    error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS_');
  // What parseArgs says after its first sentence is advice for a file with such a name.
  return isOfArguments ? `${error.message.split(/\.\s/)[0]} (--help tells which there are)` : undefined;
};
