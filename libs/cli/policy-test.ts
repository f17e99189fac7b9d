import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { testPolicy } from '@placet/policy';
import { readPolicyFile, setsBeside, why } from './files.ts';
import { formatJunit } from './junit.ts';
import { formatTable } from './policy-test-table.ts';
import { printableJson } from './printable.ts';
import { countAll, type TestedFile } from './tested-file.ts';
import { type ExitCode, exitCodes, type Verb, WrongUsage } from './verb.ts';

const help = `Usage: placet policy test [--json] [--junit PATH] FILE…

Runs the tests in policy files, and says which rules no test reaches. A shared set that a policy includes is read from
the file of its name beside it: include: [money] from money.yaml.

  --json         one JSON document instead of the table
  --junit PATH   also writes the results to PATH, as JUnit XML
  --help         this page

Exit code: 0 when all pass, 1 when a test fails or a policy is wrong, 2 when the command is.
`;

export const policyTest: Verb = {
  name: 'policy test',
  summary: 'runs the tests in policy files',
  help,
  async run(args, terminal) {
    const { files, json, junit } = readArguments(args);
    const tested = await testFiles(files, terminal.cwd);
    if (junit !== undefined) await write(junit, terminal.cwd, formatJunit(tested));
    terminal.print(json ? documentOf(tested) : formatTable(tested, terminal.hasColours));
    return exitCodeOf(tested);
  },
};

const readArguments = (args: string[]) => {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { json: { type: 'boolean', default: false }, junit: { type: 'string' } },
  });
  if (positionals.length === 0) throw new WrongUsage('name a policy: placet policy test FILE…');
  // Who forgets the path loses the first of the policies otherwise.
  if (values.junit !== undefined && /\.ya?ml$/i.test(values.junit)) {
    throw new WrongUsage(`--junit ${values.junit} would write over a policy: name a file such as junit.xml`);
  }
  return { files: positionals, ...values };
};

const whereFrom = (name: string) => `it is read from ${name}.yaml beside the policy`;

/** All are read before one is tested: where one is missing, half an answer would look like a whole one. */
const testFiles = async (files: readonly string[], cwd: string): Promise<TestedFile[]> => {
  const read: { file: string; text: string; sets: Map<string, string> }[] = [];
  for (const file of files) {
    const text = await readPolicyFile(file, cwd);
    read.push({ file, text, sets: await setsBeside(file, cwd, text) });
  }
  return read.map(({ file, text, sets }) => ({ file, tested: testPolicy(text, { sets, whereFrom }) }));
};

const write = async (file: string, cwd: string, content: string): Promise<void> => {
  const path = resolve(cwd, file);
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  } catch (error) {
    throw new WrongUsage(`--junit ${file} cannot be written: ${why(error)}`, { cause: error });
  }
};

const documentOf = (files: readonly TestedFile[]): string => {
  const described = files.map(({ file, tested }) =>
    tested.ok
      ? { file, problems: [], tests: tested.results, coverage: tested.coverage }
      : { file, problems: tested.problems, tests: [], coverage: null },
  );
  return `${printableJson({ ...countAll(files), files: described })}\n`;
};

const exitCodeOf = (files: readonly TestedFile[]): ExitCode =>
  countAll(files).failed === 0 ? exitCodes.passed : exitCodes.failed;
