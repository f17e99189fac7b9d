import { CelScalar, celEnv, celFunc, celMethod } from '@bufbuild/cel';
import { patternOf, textCharsMax } from './patterns.ts';

/** The product of the lengths of a text and of what it is searched for: the worst that a search can cost. */
const searchMax = 10_000_000;

const decimal = /^-?\d{1,300}(\.\d{1,300})?$/;
const whole = /^-?\d{1,19}$/;

/** A text that is no number fails: as NaN, which is neither less nor more, it would pass by every limit. */
function read<T>(text: string, form: RegExp, make: (text: string) => T): T {
  if (!form.test(text)) throw new Error('not a number');
  return make(text);
}

/** The standard functions, and where those of the library would let something pass, our own in their place. */
export const environment = celEnv({
  funcs: [
    celFunc('double', [CelScalar.STRING], CelScalar.DOUBLE, (text) => read(text, decimal, Number)),
    celFunc('int', [CelScalar.STRING], CelScalar.INT, (text) => read(text, whole, BigInt)),
    celMethod('contains', CelScalar.STRING, [CelScalar.STRING], CelScalar.BOOL, function (part) {
      if (this.length * part.length > searchMax) throw new Error('a text is too long to be searched');
      return this.includes(part);
    }),
    // As of whole numbers: what comes of it would be neither less nor more than anything.
    celFunc('_/_', [CelScalar.DOUBLE, CelScalar.DOUBLE], CelScalar.DOUBLE, (one, other) => {
      if (other === 0) throw new Error('division by zero');
      return one / other;
    }),
  ],
  re2: {
    compile: (pattern) => ({
      test(text) {
        if (text.length > textCharsMax) throw new Error('a text is too long for a pattern');
        return patternOf(pattern).test(text);
      },
    }),
  },
});
