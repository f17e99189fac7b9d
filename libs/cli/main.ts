import { runCommandLine } from './command-line.ts';

// Who reads the first lines only (`| head`) takes nothing from the exit code.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  // npm runs a script in the root of the checkout, and says here where its user stands.
  cwd: process.env['INIT_CWD'] ?? process.cwd(),
  print: (text) => process.stdout.write(text),
  complain: (text) => process.stderr.write(text),
  isWatched: process.stderr.isTTY === true,
  env: process.env,
  hasColours: process.stdout.isTTY === true && !process.env['NO_COLOR'],
});
