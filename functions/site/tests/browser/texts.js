// Two documents whose answers the tests know.

export const ENGLISH = {
  name: 'backup-handbook.md',
  text: `# Backup handbook

This handbook is for everybody who runs the archive. It says what is kept, for how long, and who is told.

## Schedule

Backups run daily at 03:00 UTC and take about twenty minutes. A café-sized archive (up to 40 GB) fits in one run; larger ones are split. Nobody needs to be awake for it.

## Retention

Each backup is kept for thirty days in a second region. After thirty days it is removed, and the removal is written to the audit log.

## Restore drill

On the first Monday of each month the night shift restores the newest backup into an empty account. The drill counts as passed when every document can be read again.
`,
  question: 'At what time do the daily backups run?',
  quoted: 'Backups run daily at 03:00 UTC',
};

export const URDU = {
  name: 'کتب-خانہ.md',
  text: `# کتب خانے کے قواعد

یہ قواعد کتب خانے کے تمام اراکین کے لیے ہیں۔ رکنیت مفت ہے اور ہر شہری اس کے لیے درخواست دے سکتا ہے۔

## کتابوں کا اجرا

ہر رکن ایک وقت میں پانچ کتابیں چودہ دن کے لیے لے سکتا ہے۔ مدت میں توسیع صرف ایک بار ممکن ہے۔

## جرمانہ

تاخیر کی صورت میں ہر دن کا جرمانہ دس روپے ہے۔ گم شدہ کتاب کی پوری قیمت ادا کرنی ہوگی۔
`,
  question: 'تاخیر کی صورت میں ہر دن کا جرمانہ کتنا ہے؟',
  quoted: 'ہر دن کا جرمانہ دس روپے ہے',
};
