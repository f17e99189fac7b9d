const timeoutMs = 5000;
const slackHost = 'hooks.slack.com';

/**
 * Says something to whoever clicked, and to nobody else. The address comes with the click: only Slack's own is taken,
 * or that of the API which is set in its place.
 */
export async function tellPrivately(url: string | undefined, text: string, apiUrl: string): Promise<void> {
  if (url === undefined || !isOfSlack(url, apiUrl)) return;
  await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ response_type: 'ephemeral', replace_original: false, text }),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
}

function isOfSlack(url: string, apiUrl: string): boolean {
  if (!URL.canParse(url)) return false;
  const { protocol, hostname, origin } = new URL(url);
  const isPublic = protocol === 'https:' && hostname === slackHost;
  return isPublic || (new URL(apiUrl).hostname !== 'slack.com' && origin === new URL(apiUrl).origin);
}
