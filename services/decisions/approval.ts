import { looked } from './clock.ts';
import { edited } from './editing.ts';
import { deny, ended, type Ruling, settled } from './ending.ts';
import { reassigned } from './handing.ts';
import type { ActionState, Command } from './state.ts';
import { voted } from './voting.ts';

/** One step. The caller stores it at the version that it has read, and asks again until everything is settled. */
export function decide(command: Command, state: ActionState): Ruling {
  switch (command.kind) {
    case 'vote':
      return voted(command, state);
    case 'edit':
      return edited(command, state);
    case 'reassign':
      return reassigned(command, state);
    case 'withdraw':
      return ended(state, {
        cause: 'withdrawn',
        reason: 'The agent withdrew its request.',
        deciders: ['agent'],
      });
    case 'cancel':
      return ended(state, {
        cause: 'cancelled',
        reason: `Cancelled by ${command.by.email}: ${command.reason}`,
        deciders: [`person:${command.by.email}`],
      });
    case 'look':
      return looked(command, state);
    case 'forged':
      // A request that is forged itself was never accepted: there is nothing to decide, and nobody is allowed.
      if (state.status === 'unknown' || state.status === 'decided') return settled;
      return deny('forged', 'The history of this action holds an event that Placet did not write.');
    default:
      return command satisfies never;
  }
}
