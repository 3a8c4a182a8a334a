public import Accounting
public import Problems

// What the arithmetic refuses, as problems: one floor up, since `Accounting` knows nothing but its
// numbers, and what helps needs names and locks that it has never heard of.

extension CloseError: Problem {
  /// Why a date could not be closed.
  public var stated: StatedProblem { StatedProblem(meaning, description) }

  private var meaning: ProblemCode {
    switch self {
    case .notAllowed: ProblemCode("activity_not_allowed", .badInput)
    case .lacks: ProblemCode("activity_incomplete", .badInput)
    case .wrongSign: ProblemCode("activity_sign", .badInput)
    case .wrongCurrency: ProblemCode("activity_currency", .badInput)
    case .beforeInception: ProblemCode("activity_before_inception", .badInput)
    case .unknownHolding: ProblemCode("unknown_holding", .badInput)
    case .nothingToExpire: ProblemCode("nothing_to_expire", .badInput)
    case .noFlowValue: ProblemCode("transfer_without_value", .badInput)
    case .switchesDoNotNet: ProblemCode("switches_do_not_net", .badInput)
    case .statementOfQuoted: ProblemCode("statement_of_quoted", .badInput)
    case .duplicateStatement: ProblemCode("duplicate_statement", .badInput)
    case .negativeStatement: ProblemCode("negative_statement", .badInput)
    case .duplicateActivity: ProblemCode("duplicate_activity", .badInput)
    case .invalidSplit: ProblemCode("split_ratio", .badInput)
    case .notReorganised: ProblemCode("corporate_action", .badInput)
    case .missingRate: ProblemCode("rate_missing", .badInput)
    case .invalidRate: ProblemCode("rate_invalid", .badInput)
    case .lotsUnknown: ProblemCode("lots_unknown", .failed)
    case .lotsDiffer: ProblemCode("lots_differ", .refused)
    case .openingDoesNotAddUp: ProblemCode("opening_does_not_add_up", .refused)
    case .outOfOrder: ProblemCode("date_out_of_order", .refused)
    case .arithmetic(_, _, let error): error.code
    }
  }
}

extension CalendarError: Problem {
  /// The name, and those that are calendars.
  public var stated: StatedProblem {
    StatedProblem(
      ProblemCode("unknown_calendar", .badInput), reason, remedy: Remedy(prose: advice))
  }
}

extension ArithmeticError: Problem {
  /// A result that the books cannot keep.
  public var stated: StatedProblem {
    StatedProblem(ProblemCode("number_out_of_range", .badInput), description)
  }
}

extension DecimalError: Problem {
  /// A text that is no number of the books.
  public var stated: StatedProblem {
    StatedProblem(ProblemCode("not_a_number", .badInput), description)
  }
}
