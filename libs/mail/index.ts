export { createMailer, type Mail, type Mailer } from './mailer.ts';
export {
  type MailAddress,
  mailDisagreements,
  mailSettings,
  type SmtpServer,
  smtpServerOf,
} from './settings.ts';
