import { expect, test } from 'vitest';
import { runCommandLine } from './command-line.ts';

const run = async (...args: string[]) => {
  const said = { out: '', err: '' };
  const code = await runCommandLine(args, {
    cwd: import.meta.dirname,
    hasColours: false,
    isWatched: false,
    env: {},
    print: (text) => {
      said.out += text;
    },
    complain: (text) => {
      said.err += text;
    },
  });
  return { code, ...said };
};

test.each([
  [[], 'say what to do; there are: policy test, policy backtest'],
  [['--json', 'policy', 'test'], 'the verb comes before options such as --json'],
  [['polcy', 'test', 'a.yaml'], 'there is no verb "polcy test": did you mean "policy test"?'],
  [['policy', 'tets', '--json'], 'there is no verb "policy tets": did you mean "policy test"?'],
  [['start'], 'there is no verb "start"; there are: policy test, policy backtest'],
  [['policy', 'test'], 'name a policy: placet policy test FILE…'],
  [['policy', 'test', '--jnit', 'x', 'y'], "Unknown option '--jnit' (--help tells which there are)"],
  [['policy', 'test', '--junit'], "Option '--junit <value>' argument missing"],
  [['policy', 'test', '--junit', 'a.yaml', 'b.yaml'], '--junit a.yaml would write over a policy'],
  [['policy', 'test', 'nowhere.yaml'], 'nowhere.yaml cannot be read: there is no such file'],
  [['policy', 'test', '.'], '. cannot be read: it is a directory'],
  [['policy', 'backtest'], 'name a policy: placet policy backtest FILE'],
  [['policy', 'backtest', 'a.yaml', 'b.yaml'], 'one policy at a time, not a.yaml and b.yaml'],
  [['policy', 'backtest', 'command-line.ts'], 'set PLACET_TOKEN to the token of an administrator or auditor'],
  [['a\u001b[2J\nb'], 'there is no verb "a[2J b"'],
])('%j is wrong usage, and says what is', async (args, words) => {
  const { code, out, err } = await run(...args);
  expect({ code, out }).toEqual({ code: 2, out: '' });
  expect(err).toMatch(/^placet: [^\n]*\n$/);
  expect(err).toContain(words);
});

test.each([
  [['--help'], 'Usage: placet VERB'],
  [['policy', '--help'], 'placet policy test   runs the tests'],
  [['policy', 'test', '--help'], 'Usage: placet policy test [--json] [--junit PATH] FILE…'],
  [['policy', 'test', 'nowhere.yaml', '-h'], 'Usage: placet policy test'],
])('%j helps', async (args, words) => {
  const { code, out, err } = await run(...args);
  expect({ code, err }).toEqual({ code: 0, err: '' });
  expect(out).toContain(words);
});
