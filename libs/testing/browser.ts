import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Browser } from 'playwright-core';
import { releaseAfterTest } from './cleanup.ts';

const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable', 'chrome'];
const installMs = 300_000;

/** A real browser, without a window, for the time of a test. */
export async function startBrowser(): Promise<Browser> {
  const browser = await launchBrowser();
  releaseAfterTest('browser', () => browser.close());
  return browser;
}

export async function launchBrowser(): Promise<Browser> {
  const executablePath = findBrowser() ?? installed();
  // As root Chromium starts only without its sandbox.
  const args = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  // It takes as long to load as half of the rest, and few tests want it.
  const { chromium } = await import('playwright-core');
  return chromium.launch({ executablePath, args });
}

function findBrowser(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named !== undefined && named !== '') return named;
  const dirs = (process.env['PATH'] ?? '').split(delimiter);
  return dirs.flatMap((dir) => names.map((name) => join(dir, name))).find((file) => existsSync(file));
}

/** On Debian, where we may. */
function installed(): string {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const options = {
      stdio: 'ignore',
      timeout: installMs,
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
    } as const;
    spawnSync('apt-get', ['update'], options);
    spawnSync('apt-get', ['install', '-y', '--no-install-recommends', 'chromium'], options);
  }
  const found = findBrowser();
  if (found !== undefined) return found;
  throw new Error('The tests of pages need Chromium: install it, or name its program in CHROMIUM.');
}
