import type { Refusal } from '@placet/runtime';

/** What is wrong, with what a form can be mended by. */
export function wordsOf({ code, message, details }: Refusal): string {
  switch (code) {
    case 'STALE_PAYLOAD':
      return 'It has been changed since you opened this page. Look at it as it is now, and decide anew.';
    case 'ALREADY_DECIDED':
      return 'It has been decided already. Your vote was not counted.';
    case 'REASON_REQUIRED':
      return 'The policy wants a reason. Write one, and press again.';
    case 'ANSWER_REQUIRED':
      return ['Your answer does not fit what the agent asks for.', ...problemLines(details)].join('\n');
    case 'NOT_EDITABLE':
      return problemLines(details).join('\n') || message;
    default:
      return [message, ...problemLines(details)].join('\n');
  }
}

/** What is wrong with which part, as far as it is said. */
export function problemLines(details: unknown): string[] {
  if (!Array.isArray(details)) return [];
  return (details as { path?: string; message?: string }[]).map(
    ({ path = '', message = '' }) => `${path.replace(/^(answer|payload)\./, '')}: ${message}`,
  );
}
