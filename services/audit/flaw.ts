import { emitsUnsealed, type Flaw, type PlacetEvent } from '@placet/events';
import { type Jwks, sealForm } from '@placet/proof';
import { proofProblem } from '@placet/runtime';

/** What is false about an event that fits its subject. Whether a seal is right, only who holds the key can tell. */
export function eventFlaw(event: PlacetEvent, seal: string | null, trusted: Jwks): Flaw | null {
  if (event.type === 'action.decided' || event.type === 'approval.closed') {
    if (proofProblem(event, trusted) !== null) return 'wrong_proof';
  }
  if (emitsUnsealed(event.type, event.source)) return null;
  return seal !== null && sealForm.test(seal) ? null : 'no_seal';
}

/** A value of the configuration holds its seal as its last member; Placet never deletes one. */
export function configurationFlaw(body: string): Flaw | null {
  const seal = /,"seal":"([^"]+)"\}$/.exec(body)?.[1];
  return seal !== undefined && sealForm.test(seal) ? null : 'no_seal';
}
