import * as z from 'zod';

export const Comment = z
  .string()
  .trim()
  .min(1)
  .max(4000)
  .refine((text) => !/\p{Cc}/u.test(text.replace(/[\n\r\t]/g, '')), 'must not contain control characters');
