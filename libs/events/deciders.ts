/** As people know them. */
export const decidersText = (deciders: readonly string[]) =>
  deciders.map((who) => who.replace(/^person:/, '')).join(', ');

/** Why it was decided where those who voted gave no reason. */
export function votedReason(decision: 'allowed' | 'denied', deciders: readonly string[]): string {
  return `${decision === 'allowed' ? 'Approved' : 'Rejected'} by ${decidersText(deciders)}.`;
}

/** The reason, beside a text that names who decided; null where it says no more than that. */
export function furtherReason({
  decision,
  deciders,
  reason,
}: {
  decision: 'allowed' | 'denied';
  deciders: readonly string[];
  reason: string;
}): string | null {
  return reason === votedReason(decision, deciders) ? null : reason;
}
