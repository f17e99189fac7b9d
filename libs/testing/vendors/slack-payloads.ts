import { asSlackSays } from './slack-chat.ts';
import type { InputElement } from './slack-elements.ts';
import { bot } from './slack-ids.ts';
import { type Block, buttonsIn, type InputBlock } from './slack-limits.ts';
import { viewAsSlackSays } from './slack-views.ts';
import type { SlackMessage, SlackView, Workspace } from './slack-workspace.ts';

export type Pressed = { actionId: string; value?: string };
/** By the block_id of the input; a list for what takes several. */
export type Filled = Record<string, string | readonly string[]>;

/** What Slack says of everybody's gestures: who, where, and for which app. */
function envelope(workspace: Workspace, type: string, userId: string, teamId = workspace.settings.teamId) {
  const user = workspace.userWith(userId);
  if (!user) throw new Error(`there is no user ${userId} in this Slack`);
  return {
    type,
    team: { id: teamId, domain: 'placet-test' },
    user: { id: user.id, username: user.name, name: user.name, team_id: teamId },
    api_app_id: bot.appId,
    token: 'of-no-use',
    enterprise: null,
    is_enterprise_install: false,
    trigger_id: workspace.triggers.give(user.id),
  };
}

type Clicked = {
  user: string;
  message: SlackMessage;
  /** What the message looked like; the first that has the button is the one that was on the screen. */
  versions: readonly Block[][];
  pressed: Pressed;
  teamId?: string;
};

export function clickPayload(workspace: Workspace, of: Clicked, slackUrl: string) {
  const { user, message, versions, pressed, teamId } = of;
  const { channel, ts, threadTs } = message;
  const [found] = versions.flatMap((blocks) => buttonsFor(pressed, blocks));
  if (!found) throw new Error(`no such button: ${pressed.actionId} is not in ${ts} of ${channel}`);
  const { type, action_id, text, value, style } = found.button;
  return {
    ...envelope(workspace, 'block_actions', user, teamId),
    container: {
      type: 'message',
      message_ts: ts,
      channel_id: channel,
      is_ephemeral: false,
      ...(threadTs === undefined ? {} : { thread_ts: threadTs }),
    },
    channel: { id: channel, name: workspace.channelWith(channel)?.name || 'directmessage' },
    message: { ...asSlackSays(workspace, message, false), blocks: found.blocks },
    state: { values: {} },
    response_url: `${slackUrl}${workspace.responseUrls.give({ channel, ts, user })}`,
    actions: [
      { type, action_id, block_id: found.blockId, text, value, style, action_ts: workspace.nextTs() },
    ],
  };
}

function buttonsFor({ actionId, value }: Pressed, blocks: Block[]) {
  return buttonsIn(blocks)
    .filter(({ button }) => button.action_id === actionId && (value === undefined || button.value === value))
    .map((found) => ({ ...found, blocks }));
}

export function submissionPayload(
  workspace: Workspace,
  of: { user: string; view: SlackView; values: Filled; teamId?: string },
) {
  const { user, view, values, teamId } = of;
  if (view.user !== user) throw new Error(`${view.id} is open before ${view.user}, not before ${user}`);
  return {
    ...envelope(workspace, 'view_submission', user, teamId),
    view: { ...viewAsSlackSays(workspace, view), state: { values: stateOf(view, values) } },
    response_urls: [],
  };
}

function stateOf({ id, modal }: SlackView, values: Filled): Record<string, Record<string, object>> {
  const inputs = modal.blocks.filter((block) => block.type === 'input');
  const stranger = Object.keys(values).find((name) => !inputs.some(({ block_id }) => block_id === name));
  if (stranger !== undefined) throw new Error(`${id} has no input ${stranger}`);
  return Object.fromEntries(
    inputs.map((block) => [block.block_id, { [block.element.action_id]: enteredIn(block, values) }]),
  );
}

/** Slack's own window does not let a person send what the modal rules out. */
function enteredIn({ block_id, element, optional }: InputBlock, values: Filled): object {
  const given = [values[block_id] ?? initially(element)].flat();
  if (given.length === 0 && optional !== true) throw new Error(`Slack asks for ${block_id} first`);
  const { type } = element;
  switch (type) {
    case 'plain_text_input': {
      const [value = null] = given;
      const { min_length: min = 0, max_length: max = 3000 } = element;
      if (value !== null && (value.length < min || value.length > max)) {
        throw new Error(`Slack takes ${min} to ${max} characters in ${block_id}`);
      }
      return { type, value };
    }
    case 'datepicker':
      return { type, selected_date: given[0] ?? null };
    case 'users_select':
      return { type, selected_user: given[0] ?? null };
    case 'static_select':
    case 'radio_buttons':
      return { type, selected_option: chosen(element, given)[0] ?? null };
    case 'checkboxes':
    case 'multi_static_select':
      return { type, selected_options: chosen(element, given) };
    default:
      return type satisfies never;
  }
}

function initially(element: InputElement): string[] {
  switch (element.type) {
    case 'plain_text_input':
      return element.initial_value ? [element.initial_value] : [];
    case 'datepicker':
      return element.initial_date ? [element.initial_date] : [];
    case 'users_select':
      return element.initial_user ? [element.initial_user] : [];
    case 'static_select':
    case 'radio_buttons':
      return element.initial_option ? [element.initial_option.value] : [];
    default:
      return (element.initial_options ?? []).map(({ value }) => value);
  }
}

type WithOptions = Extract<InputElement, { options?: unknown }>;

function chosen(element: WithOptions, given: readonly string[]) {
  const grouped = 'option_groups' in element ? (element.option_groups ?? []) : [];
  const options = [...(element.options ?? []), ...grouped.flatMap((group) => group.options)];
  return given.map((value) => {
    const option = options.find((one) => one.value === value);
    if (!option) throw new Error(`${value} is not to choose in ${element.action_id}`);
    return option;
  });
}
