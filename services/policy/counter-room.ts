import type { CounterStream } from '@placet/events';
import { causeId, type ServiceParts, sleep } from '@placet/runtime';

const lookEveryMs = 1000;
const lookWithinMs = 500;
/** From here on somebody should know of it. */
const shareOfAlarm = 0.8;

/** Whether there is room to count in a stream. The broker forgets counts rather than refusing them. */
export type HasRoom = (stream: CounterStream) => Promise<boolean>;

export function watchCounterRoom(
  { context, alarm }: Pick<ServiceParts, 'context' | 'alarm'>,
  bytesMax: number,
): HasRoom {
  const looks = new Map<string, { at: number; hasRoom: Promise<boolean> }>();
  const told = new Set<string>();

  async function look(name: string): Promise<boolean> {
    const { state } = await context.jsm.streams.info(name);
    if (state.bytes < shareOfAlarm * bytesMax) told.delete(name);
    else if (!told.has(name)) {
      told.add(name);
      const bytes = String(state.bytes);
      void alarm({
        kind: 'counters_full',
        about: causeId(name, new Date().toISOString()),
        message:
          `${name} holds ${bytes} of ${bytesMax} bytes. Beyond them every limit of its kind counts as reached: ` +
          'raise PLACET_COUNTERS_SIZE, or count by fewer values.',
        details: { stream: name, bytes },
      });
    }
    return state.bytes < bytesMax;
  }

  return ({ name }) => {
    const last = looks.get(name);
    if (last && performance.now() - last.at < lookEveryMs) return last.hasRoom;
    const inTime = sleep(lookWithinMs).then(() => false);
    const hasRoom = Promise.race([look(name).catch(() => false), inTime]);
    looks.set(name, { at: performance.now(), hasRoom });
    return hasRoom;
  };
}
