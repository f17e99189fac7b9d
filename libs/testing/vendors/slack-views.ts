import { isRecord, objectOf, SlackError, textOf } from './slack-args.ts';
import type { Method } from './slack-chat.ts';
import { bot, randomId } from './slack-ids.ts';
import { checkModal } from './slack-limits.ts';
import type { SlackView, Workspace } from './slack-workspace.ts';

const open: Method = (workspace, args) => {
  const modal = modalFrom(objectOf(args, 'view', 'invalid_arguments'));
  const trigger = workspace.triggers.use(textOf(args, 'trigger_id') ?? '');
  if ('error' in trigger) {
    const isUnknown = trigger.error === 'invalid_arguments';
    throw new SlackError(
      trigger.error,
      isUnknown ? ['[ERROR] invalid `trigger_id` [json-pointer:/trigger_id]'] : [],
    );
  }
  const view = { id: `V${randomId().toUpperCase()}`, hash: randomId(), user: trigger.user, modal };
  workspace.views.set(view.id, view);
  return { view: viewAsSlackSays(workspace, view) };
};

const update: Method = (workspace, args) => {
  const id = textOf(args, 'view_id');
  const externalId = textOf(args, 'external_id');
  const view = [...workspace.views.values()].find((one) =>
    id === undefined ? one.modal.external_id === externalId : one.id === id,
  );
  if (!view) throw new SlackError('not_found');
  const hash = textOf(args, 'hash');
  if (hash !== undefined && hash !== view.hash) throw new SlackError('hash_conflict');
  return { view: viewAsSlackSays(workspace, changeView(view, objectOf(args, 'view', 'invalid_arguments'))) };
};

export const viewMethods: Record<string, Method> = { 'views.open': open, 'views.update': update };

export function changeView(view: SlackView, given: unknown): SlackView {
  return Object.assign(view, { modal: modalFrom(given), hash: randomId() });
}

/** What a modal's submission may be answered with; the rest is a mistake of the app. */
export function applySubmissionAnswer(workspace: Workspace, view: SlackView, body: unknown): void {
  if (body === '' || (isRecord(body) && Object.keys(body).length === 0)) {
    workspace.views.delete(view.id);
    return;
  }
  if (!isRecord(body)) throw new Error(`a submission was answered with ${JSON.stringify(body)}`);
  switch (body['response_action']) {
    case 'errors':
      checkFieldErrors(view, body['errors']);
      return;
    case 'update':
      changeView(view, body['view']);
      return;
    case 'clear':
      workspace.views.clear();
      return;
    default:
      throw new Error(`a submission was answered with ${JSON.stringify(body)}`);
  }
}

function checkFieldErrors({ modal }: SlackView, errors: unknown): void {
  if (!isRecord(errors) || Object.keys(errors).length === 0) throw new Error('errors of no field');
  const inputs = modal.blocks.flatMap((block) => (block.type === 'input' ? [block.block_id] : []));
  for (const [blockId, message] of Object.entries(errors)) {
    if (!inputs.includes(blockId)) throw new Error(`an error of ${blockId}, which is no input of the modal`);
    if (typeof message !== 'string' || message === '') throw new Error(`the error of ${blockId} has no text`);
  }
}

function modalFrom(given: unknown) {
  const checked = checkModal(given);
  if ('error' in checked) throw new SlackError(checked.error, checked.messages);
  return checked.value;
}

export function viewAsSlackSays({ settings }: Workspace, { id, hash, modal }: SlackView) {
  return {
    ...modal,
    id,
    hash,
    team_id: settings.teamId,
    app_id: bot.appId,
    bot_id: bot.botId,
    root_view_id: id,
    previous_view_id: null,
    state: { values: {} },
  };
}
