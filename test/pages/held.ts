import { sharedPlacet } from '../support.ts';

const policy = `
version: 1
rules:
  - action: reason.*
    decide: require_approval
    require_reason: on_reject
  - action: edit.*
    decide: require_approval
    editable: [payload.amount, payload.note]
  - action: choose.*
    decide: require_approval
    choices: [{ name: retry, means: allow }, { name: "stop it", means: deny }]
  - action: slack.*
    decide: require_approval
    only_in: [slack]
  - action: inbox.*
    decide: require_approval
    only_in: [inbox]
  - action: treasure.*
    decide: require_approval
    approvers: ["role:treasurer"]
  - action: two.*
    decide: require_approval
    quorum: 2
default: require_approval
`;
/** One Placet for a file, whose policy holds everything, each kind in its way. */
export function placetThatHolds() {
  const shared = sharedPlacet({ policy });

  async function held(
    action_name: string,
    more: object = {},
  ): Promise<{ id: string; page: string; digest: string }> {
    const { agent, admin } = shared();
    const asked = await agent.check({ action_name, payload: { amount: 20, note: 'a' }, ...more });
    const id = asked.body.action_id;
    const { payload_digest } = (await admin.get(`/v1/approvals/${id}`)).body;
    return { id, page: `/approvals/${id}`, digest: payload_digest };
  }
  const decisionOf = async (id: string) => (await shared().agent.get(`/v1/check/${id}`)).body;

  return { shared, held, decisionOf };
}
