import {
  deployPermissions,
  inboxPrefix,
  type Permissions,
  permissionsOf,
  services,
  subscriberPermissions,
  subscriberUser,
} from '@placet/events';

/** The users of the broker, with a name for the variable that holds each one's password. */
export function brokerUsers(
  subscribers: readonly string[] = [],
): { user: string; permissions: Permissions }[] {
  return [
    { user: 'deploy', permissions: deployPermissions },
    ...services.map((service) => ({ user: service, permissions: permissionsOf(service) })),
    ...subscribers.map((name) => ({
      user: subscriberUser(name),
      permissions: subscriberPermissions(name),
    })),
  ];
}

export function passwordVariable(user: string): string {
  return `${user.toUpperCase().replaceAll('-', '_')}_PASSWORD`;
}

/** `deploy/nats.conf`, for the broker of the services as processes of their own. */
export function natsConfText(subscribers: readonly string[] = []): string {
  return `# Written by scripts/generate.ts from libs/events/permissions.ts. Change that, and run "npm run generate".
#
# The users of the broker, each with exactly the subjects that it needs and replies that nobody else can read
# (${inboxPrefix('<user>')}). Their passwords are in a file beside this one that "npm run deploy:secrets" writes.

include "nats-passwords.conf"

max_payload: 2MB
# Nobody but the users below: there is no user without a password.
authorization {
  users: [
${brokerUsers(subscribers).map(userText).join('\n')}
  ]
}
`;
}

function userText({ user, permissions: { publish, subscribe } }: ReturnType<typeof brokerUsers>[number]) {
  return `    {
      user: ${user}
      password: $${passwordVariable(user)}
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

const subjectLines = (subjects: string[]) => subjects.map((subject) => `            "${subject}"`).join('\n');
