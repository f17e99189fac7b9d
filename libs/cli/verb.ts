/** Who typed the command: where they stand, and how to talk to them. */
export type Terminal = {
  cwd: string;
  print(text: string): void;
  complain(text: string): void;
  hasColours: boolean;
  /** Whether a person looks at what is complained of, so that a line of it can be drawn again. */
  isWatched: boolean;
  env: Readonly<Record<string, string | undefined>>;
};

export const exitCodes = { passed: 0, failed: 1, wrongUsage: 2 } as const;
export type ExitCode = (typeof exitCodes)[keyof typeof exitCodes];

export type Verb = {
  /** As it is typed: "policy test". */
  name: string;
  /** What it does, in a line. */
  summary: string;
  /** What its `--help` prints. */
  help: string;
  run(args: string[], terminal: Terminal): Promise<ExitCode>;
};

/** The command cannot be done as it was typed; the message says how it can. */
export class WrongUsage extends Error {}
