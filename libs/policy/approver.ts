import { nameForm } from '@placet/events';
import { notBuilt } from './grammar.ts';
import { quote } from './problems.ts';
import type { Approver } from './types.ts';

export const channelPattern = /^[^\s\p{C}#@:,<>&"'`]{1,80}$/u;
export const emailPattern = /^[^\s\p{C}@<>,:;"()[\]\\]{1,64}@[^\s\p{C}@<>,:;"()[\]\\]{1,189}$/u;

/** The approver that a text names, or what is wrong with it. */
export const readApprover = (text: string): Approver | { wrong: string } => {
  if (text.startsWith('#')) {
    const channel = text.slice(1);
    return channelPattern.test(channel)
      ? { kind: 'channel', channel }
      : wrong(text, 'a channel, as "#approvals"');
  }
  const colon = text.indexOf(':');
  const rest = text.slice(colon + 1);
  switch (text.slice(0, Math.max(colon, 0))) {
    case 'role':
      return nameForm.test(rest)
        ? { kind: 'role', role: rest }
        : wrong(text, 'a role in lower-case letters, digits and hyphens, as "role:manager"');
    case 'user':
      return emailPattern.test(rest)
        ? { kind: 'user', email: rest.toLowerCase() }
        : wrong(text, 'an email address, as "user:dana@example.com"');
    case 'pagerduty':
      return { wrong: notBuilt('"pagerduty:"') };
    default:
      if (emailPattern.test(text)) return wrong(text, `${quote(`user:${text}`)} for a person`);
      return wrong(text, '"#channel", "role:NAME" or "user:EMAIL"');
  }
};

const wrong = (text: string, expected: string) => ({ wrong: `expected ${expected}, found ${quote(text)}` });
