//! Bodies of requests and responses, as the OpenAPI document describes them.

mod audit;
mod budget;
mod experiments;
mod keys;
mod subjects;
mod widgets;

pub use self::{
    audit::{AuditHeadBody, AuditHeadsBody},
    budget::{
        BalanceBody, BudgetBody, ChangeBudgetBody, LimitsBody, UsageParams, UsageReportBody,
        UsageRowBody,
    },
    experiments::{
        DifferenceBody, EstimateBody, ExperimentBody, ExperimentParams, ExperimentsBody,
        VariantBody,
    },
    keys::{
        ChangeKeyBody, CreateKeyBody, CreatedKeyBody, KeyBody, KeyParams, KeysBody, PermissionBody,
        RotateKeyBody, SpentKeyBody,
    },
    subjects::{
        FindSubjectParams, HeldBody, HeldConversationBody, HeldFeedbackBody, HeldMessageBody,
        HeldParams, HeldUsageBody, MonthBody, RatingBody, SpeakerBody, SubjectBody,
        SubjectReceiptBody,
    },
    widgets::{CreateWidgetTokenBody, WidgetTokenBody},
};
