import { parseArgs } from 'node:util';
import { backtestLines, type FullResult } from './backtest-lines.ts';
import { formatBacktest, formatProgress } from './backtest-table.ts';
import { readPolicyFile } from './files.ts';
import { printable, printableJson } from './printable.ts';
import { exitCodes, type Terminal, type Verb, WrongUsage } from './verb.ts';
import { defaultUrl, readWhere } from './where.ts';

const help = `Usage: placet policy backtest [--scope SCOPE] [--since 30d] [--until MOMENT] [--agent NAME] [--json] FILE

Judges the requests on the record anew, with the policy of FILE in the place of the one of SCOPE, and says which verdicts
would change, and how often people would be asked. Nothing is decided, counted or changed.

  --scope SCOPE    whose policy FILE would be: default, guardrail, agent:NAME, named:NAME or set:NAME; default, if not said
  --since WHEN     from when on: a span such as 30d, or a moment; the whole record, if not said
  --until MOMENT   until when; now, if not said
  --agent NAME     requests of this agent only
  --json           one JSON document instead of the table
  --help           this page

PLACET_URL says where Placet is (${defaultUrl}, if not set), PLACET_TOKEN holds the token of an administrator or auditor.

Exit code: 0 when it is done, 1 when the policy is refused or Placet cannot do it, 2 when the command is wrong.
`;

export const policyBacktest: Verb = {
  name: 'policy backtest',
  summary: 'tries a policy on the requests of the past',
  help,
  async run(args, terminal) {
    const { file, query, json, ...where } = readArguments(args, terminal);
    const policy = await readPolicyFile(file, terminal.cwd);
    const answer = await lastLine(backtestLines({ ...where, query, policy }), terminal);
    if ('problem' in answer) {
      terminal.complain(`placet: ${answer.problem.split('\n').map(printable).join('\n')}\n`);
      return exitCodes.failed;
    }
    terminal.print(json ? `${printableJson(answer.result)}\n` : formatBacktest(answer.result));
    return exitCodes.passed;
  },
};

const readArguments = (args: string[], { env }: Terminal) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      scope: { type: 'string', default: 'default' },
      since: { type: 'string' },
      until: { type: 'string' },
      agent: { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  const [file, ...more] = positionals;
  if (file === undefined) throw new WrongUsage('name a policy: placet policy backtest FILE');
  if (more.length > 0) throw new WrongUsage(`one policy at a time, not ${positionals.join(' and ')}`);
  const where = readWhere(env, 'an administrator or auditor');
  const { scope, json, ...query } = values;
  return { file, scope, json, query, ...where };
};

type Answer = { result: FullResult } | { problem: string };

/** Shows how far it is to who looks, and answers how it ended. */
const lastLine = async (
  lines: ReturnType<typeof backtestLines>,
  { isWatched, complain }: Terminal,
): Promise<Answer> => {
  try {
    for await (const line of lines) {
      if ('problem' in line || 'result' in line) return line;
      if (isWatched) complain(`\r${formatProgress(line.progress)}`);
    }
    return { problem: 'Placet ended its answer before it was whole. Try again.' };
  } finally {
    // The line is drawn over, so that the table begins where it stood.
    if (isWatched) complain('\r\u001b[K');
  }
};
