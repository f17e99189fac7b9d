/** What a channel is tried with. */
export const checkText =
  'This is a test by Placet: approvals that ask for this place will come here. There is nothing to decide.';
