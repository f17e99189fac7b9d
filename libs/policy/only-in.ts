import { type VoteChannel, voteChannels } from '@placet/events';
import { isScalar } from 'yaml';
import type { Field } from './fields.ts';
import { oneOf } from './problems.ts';
import { readListOf } from './readers.ts';
import type { Node, Source } from './yaml.ts';

/** In which channels people may decide. */
export const readOnlyIn = (source: Source, field: Field | undefined): VoteChannel[] =>
  readListOf(source, field, 'only_in', {
    min: 1,
    max: voteChannels.length,
    noun: 'channels',
    example: '[inbox]',
    read: (item, path) => readChannel(source, item, path),
    keyOf: (channel) => channel,
  });

const readChannel = (source: Source, item: Node, path: string): VoteChannel | undefined => {
  const node = source.resolve(item, path);
  if (!node) return undefined;
  const channel = isScalar(node) ? voteChannels.find((one) => one === node.value) : undefined;
  if (!channel)
    source.problem(node, path, `only_in: expected ${oneOf(voteChannels)}, found ${source.describe(node)}`);
  return channel;
};
