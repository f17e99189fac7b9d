import { byteSize, durationMs, setting } from '@placet/runtime';

export const policySettings = {
  approvalTimeoutMs: setting(
    'PLACET_APPROVAL_TIMEOUT',
    durationMs('1h', '1s', '6d'),
    'How long an approval waits for people before it is denied.',
    '1h',
  ),
  automaticValidForMs: setting(
    'PLACET_VALID_FOR_AUTOMATIC',
    durationMs('10m', '1s', '1d'),
    'How long an automatic permission is valid.',
    '10m',
  ),
  peopleValidForMs: setting(
    'PLACET_VALID_FOR_PEOPLE',
    durationMs('1h', '1s', '6d'),
    "How long people's permission is valid.",
    '1h',
  ),
  countersBytesMax: setting(
    'PLACET_COUNTERS_SIZE',
    byteSize('128MB'),
    'How much each of the three streams of counts may hold. Beyond it every limit of that kind counts as reached.',
    '128MB',
  ),
};
export type PolicyConfig = {
  approvalTimeoutMs: number;
  automaticValidForMs: number;
  peopleValidForMs: number;
  countersBytesMax: number;
};
