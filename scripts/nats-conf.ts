import {
  accountOf,
  consumerSubjects,
  deployPermissions,
  importedAs,
  inboxPrefix,
  isReply,
  isTrusted,
  mainAccount,
  needsOf,
  type Permissions,
  permissionsOf,
  requests,
  type Service,
  services,
  subscriberNeeds,
  subscriberPermissions,
  subscriberUser,
} from '@placet/events';

type User = { user: string; permissions: Permissions };

/** The users of the broker that every deployment has. */
export const serviceUsers: readonly User[] = [
  { user: 'deploy', permissions: deployPermissions },
  ...services.map((service) => ({ user: service, permissions: permissionsOf(service) })),
];

export function passwordVariable(user: string): string {
  return `${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`;
}

/** `deploy/nats.conf`, for the broker of the services as processes of their own. */
export function natsConfText(): string {
  const trusted = serviceUsers.filter(({ user }) => isTrusted(user));
  const others = services.filter((service) => !isTrusted(service));
  return `# Written by scripts/generate.ts from libs/events. Change that, and run "npm run generate".
#
# The users of the broker, each with exactly the subjects that it needs and replies that nobody else can read
# (${inboxPrefix('<user>')}). Whoever holds no seal key has an account of its own: JetStream sends its answers to any
# subject that a request names, and there they end. "npm run deploy:secrets" writes the two files that are included.

include "nats-passwords.conf"

max_payload: 2MB
# Nobody but the users below: there is no user without a password.
accounts {
  ${mainAccount} {
    jetstream: enabled
    users: [
${trusted.map((user) => userText(user, `$${passwordVariable(user.user)}`)).join('\n')}
    ]
    # Who imports what of it is said below, and in the file of the subscribers; there are no other accounts.
    exports: [
${mainExports(others).join('\n')}
    ]
    imports: [
${others.flatMap((service) => answered(service).map((subject) => serviceImport(accountOf(service), subject))).join('\n')}
    ]
  }
${others.map((service) => accountText(service, `$${passwordVariable(service)}`, needsOf(service), permissionsOf(service))).join('\n')}
  include "nats-subscribers.conf"
}
`;
}

/** The accounts of other systems: a secret of the deployment, for their passwords are in it. */
export function subscribersText(subscribers: readonly { name: string; password: string }[]): string {
  const accounts = subscribers.map(({ name, password }) =>
    accountText(subscriberUser(name), `"${password}"`, subscriberNeeds(name), subscriberPermissions(name)),
  );
  return [
    '# The accounts of the systems that follow decisions, written by "npm run deploy:secrets".',
    ...accounts,
    '',
  ].join('\n');
}

function accountText(user: string, password: string, needs: Permissions, permissions: Permissions): string {
  const imports = needs.publish
    .filter((subject) => !isReply(subject))
    .map((subject) => serviceImport(mainAccount, subject));
  const streams = heard(needs).map(
    (subject) => `      { stream: { account: ${mainAccount}, subject: "${subject}" } }`,
  );
  const exports = needs.subscribe.filter(isQuestion).map((subject) => `      { service: "${subject}" }`);
  return `  ${accountOf(user)} {
    users: [
${userText({ user, permissions }, password)}
    ]
    imports: [
${[...imports, ...streams].join('\n')}
    ]
    exports: [
${exports.join('\n')}
    ]
  }`;
}

const isQuestion = (subject: string) => Object.values<string>(requests).includes(subject);
const answered = (service: Service) => needsOf(service).subscribe.filter(isQuestion);
const heard = ({ subscribe }: Permissions) =>
  subscribe.filter((subject) => !isReply(subject) && !isQuestion(subject));

function serviceImport(account: string, subject: string): string {
  const to = importedAs(subject);
  const renamed = to === subject ? '' : `, to: "${to}"`;
  // JetStream has to be told who asks: it looks for its streams in the account of the question.
  const shared = isApi(subject) ? ', share: true' : '';
  return `      { service: { account: ${account}, subject: "${subject}" }${renamed}${shared} }`;
}

const isApi = (subject: string) => subject.startsWith('$JS.API.');

function mainExports(others: readonly Service[]): string[] {
  const shared = subscriberNeeds('any');
  const needs = [...others.map(needsOf), shared];
  const anyConsumer = consumerSubjects('*');
  const asked = needs
    .flatMap(({ publish }) => publish.filter((subject) => !isReply(subject)))
    .filter((subject) => !/^\$JS\.(API\.CONSUMER|ACK)\./.test(subject));
  const lines = [
    ...[...asked, ...anyConsumer].map((subject) => `      { service: "${subject}"${responseType(subject)} }`),
    ...needs.flatMap(heard).map((subject) => `      { stream: "${subject}" }`),
  ];
  return lines.filter((line, i) => lines.indexOf(line) === i);
}

/** One question, several messages in answer. */
function responseType(subject: string): string {
  return /\.(MSG\.NEXT|DIRECT\.GET)\./.test(subject) ? ', response_type: stream' : '';
}

function userText({ user, permissions: { publish, subscribe } }: User, password: string): string {
  return `      {
        user: ${user}
        password: ${password}
        permissions: {
          publish: {
            allow: [
${subjectLines(publish)}
            ]
          }
          subscribe: {
            allow: [
${subjectLines(subscribe)}
            ]
          }
        }
      }`;
}

const subjectLines = (subjects: string[]) =>
  subjects.map((subject) => `              "${subject}"`).join('\n');
