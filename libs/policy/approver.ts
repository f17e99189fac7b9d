import { nameForm } from '@placet/events';
import { quote } from './problems.ts';
import type { Approver } from './types.ts';

export const channelPattern = /^[^\s\p{C}#@:,<>&"'`]{1,80}$/u;
export const emailPattern = /^[^\s\p{C}@<>,:;"()[\]\\]{1,64}@[^\s\p{C}@<>,:;"()[\]\\]{1,189}$/u;
/** Services are called as PagerDuty's people like to. */
export const servicePattern = /^[A-Za-z0-9_-]{1,64}$/;

export const approverForms = '"#channel", "role:NAME", "user:EMAIL" or "pagerduty:SERVICE"';

/** The approver that a text names, or what is wrong with it. `forms` are what may stand in its place. */
export const readApprover = (text: string, forms = approverForms): Approver | { wrong: string } => {
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
      return servicePattern.test(rest)
        ? { kind: 'pagerduty', service: rest }
        : wrong(text, 'a service in letters, digits, hyphens and _, as "pagerduty:airline"');
    default:
      if (emailPattern.test(text)) return wrong(text, `${quote(`user:${text}`)} for a person`);
      return wrong(text, forms);
  }
};

const wrong = (text: string, expected: string) => ({ wrong: `expected ${expected}, found ${quote(text)}` });
