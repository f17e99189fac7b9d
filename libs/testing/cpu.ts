/**
 * What something costs this process, in milliseconds of CPU: others on the machine, who make everything take longer,
 * are not counted. For bounds that tell the bounded from what takes minutes.
 */
export function cpuMsOf(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}
