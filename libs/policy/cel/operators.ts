import { nearest } from '../nearest.ts';
import { quote } from '../problems.ts';
import { functions, isNumber, isOpen, type Kind, nounOf, type Signature } from './kinds.ts';

/** What comes of an operator or a function, or why it does not go with what it is given. */
export type Typed = { kind: Kind } | { problem: string };

/** The parser's names of the operators that compute. */
export const signs: ReadonlyMap<string, string> = new Map(
  ['+', '-', '*', '/', '%'].map((sign) => [`_${sign}_`, sign]),
);

/** Of what JSON is made. */
const jsonKinds: readonly Kind[] = ['bool', 'double', 'string', 'null', 'list', 'map'];

const moments: Typed = {
  problem: 'a payload holds no moments and spans of time: write timestamp(…) or duration(…) around its text',
};

function isMomentBesideJson(...kinds: Kind[]): boolean {
  return kinds.includes('json') && (kinds.includes('timestamp') || kinds.includes('duration'));
}

export function compared(left: Kind, right: Kind): Typed {
  const ordered: readonly Kind[] = ['string', 'bytes', 'timestamp', 'duration', 'bool'];
  if (isMomentBesideJson(left, right)) return moments;
  const fits =
    isOpen(left) ||
    isOpen(right) ||
    (isNumber(left) && isNumber(right)) ||
    (left === right && ordered.includes(left));
  return fits ? { kind: 'bool' } : { problem: `${nounOf(left)} and ${nounOf(right)} have no order` };
}

export function equated(left: Kind, right: Kind): Typed {
  if (isMomentBesideJson(left, right)) return moments;
  const fits =
    left === right ||
    isOpen(left) ||
    isOpen(right) ||
    [left, right].includes('null') ||
    (isNumber(left) && isNumber(right));
  return fits ? { kind: 'bool' } : { problem: `${nounOf(left)} is never equal to ${nounOf(right)}` };
}

/** `wholes` are the whole numbers that are written out on its two sides. */
export function computed(
  sign: string,
  [left, right]: readonly [Kind, Kind],
  wholes: readonly (bigint | undefined)[],
): Typed {
  if (isMomentBesideJson(left, right)) return moments;
  if (sign === '%' && [left, right].some((kind) => kind === 'json' || kind === 'double')) {
    return { problem: 'numbers of a payload have fractions, and % takes whole ones: write int(…) around it' };
  }
  // CEL computes with two numbers of one kind only.
  const isWhole = (kind: Kind) => kind === 'int' || kind === 'uint';
  const side = left === 'json' && isWhole(right) ? 1 : right === 'json' && isWhole(left) ? 0 : null;
  if (side !== null) {
    const whole = wholes[side];
    const hint =
      whole === undefined ? 'write double(…) around the whole one' : `write ${whole}.0 instead of ${whole}`;
    return { problem: `numbers of a payload have fractions, and ${sign} takes two of one kind: ${hint}` };
  }
  if (left === 'dyn' || right === 'dyn') return { kind: 'dyn' };
  if (left === 'json') return { kind: right };
  if (right === 'json') return { kind: left };
  const pair = [left, right].join();
  if (left === right && isNumber(left)) return { kind: left };
  if (sign === '+' && left === right && ['string', 'bytes', 'list', 'duration'].includes(left)) {
    return { kind: left };
  }
  if (sign === '-' && pair === 'duration,duration') return { kind: 'duration' };
  if (sign === '-' && pair === 'timestamp,timestamp') return { kind: 'duration' };
  if (pair === 'timestamp,duration' && (sign === '+' || sign === '-')) return { kind: 'timestamp' };
  if (pair === 'duration,timestamp' && sign === '+') return { kind: 'timestamp' };
  return { problem: `${sign} does not go with ${nounOf(left)} and ${nounOf(right)}` };
}

export function applied(name: string, as: Signature['as'], kinds: readonly Kind[]): Typed {
  const signatures = functions.get(name);
  if (!signatures) {
    const like = nearest(name, functions.keys());
    return { problem: `there is no function ${quote(name)}${like ? `: did you mean ${quote(like)}?` : ''}` };
  }
  if (signatures.every((signature) => signature.as !== as)) {
    return { problem: `${name} is written ${as === 'method' ? `${name}(value)` : `value.${name}(…)`}` };
  }
  const isTaken = (kind: Kind | undefined, those: readonly Kind[]) => {
    if (kind === 'dyn') return true;
    return kind === 'json' ? those.some((one) => jsonKinds.includes(one)) : those.includes(kind as Kind);
  };
  const fitting = signatures.find(
    (signature) =>
      signature.as === as &&
      signature.takes.length === kinds.length &&
      signature.takes.every((those, index) => isTaken(kinds[index], those)),
  );
  if (fitting) return { kind: fitting.gives };
  return { problem: `${name} does not take ${kinds.map(nounOf).join(' and ') || 'nothing'}` };
}
