import { SetupError } from './error.mjs';
import { run } from './processes.mjs';

const BUILD_TIMEOUT_MS = 300_000;

/** Builds the server with the machine's Go, whose checksum database vouches for the source. */
export async function buildWithGo({ directory, version }) {
  const { GOOS: _os, GOARCH: _arch, ...env } = process.env;
  const result = await run('go', ['install', `github.com/nats-io/nats-server/v2@v${version}`], {
    cwd: directory,
    env: { ...env, GOBIN: directory, CGO_ENABLED: '0' },
    timeoutMs: BUILD_TIMEOUT_MS,
  });
  if (result.ok) return;
  if (result.problem === 'ENOENT') throw new SetupError('go is not installed');
  throw new SetupError(`go install failed: ${result.output.trim().split('\n').at(-1) || result.problem}`);
}
