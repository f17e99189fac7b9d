#!/usr/bin/env node
// `npx placet …`: any Node that the machine has hands over to the set-up, which runs the command on Node 24. It parses on
// an old Node, as the set-up does, so that it can say what is missing.
import process from 'node:process';

process.env['INIT_CWD'] = process.cwd();
process.argv.splice(2, 0, 'placet');
await import('../../scripts/setup.mjs');
