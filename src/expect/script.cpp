#include "expect/script.h"

#include "expect/script_values.h"

#include <array>
#include <fmt/core.h>
#include <map>
#include <utility>

namespace ipcbox::expect {

namespace {

// The bytes that end a word within { }.
constexpr std::string_view arm_ends = " \t\r\n;}";

class Parser {
  public:
    Parser(std::string_view source, std::string_view name) : reader_(source, name) {}

    Script parse() {
        for (reader_.skip_lines(); !reader_.at_end(); reader_.skip_lines())
            statement();
        for (const auto& [use, label] : uses_) {
            const auto found = labels_.find(label);
            if (found == labels_.end())
                reader_.fail(use.at, fmt::format("there is no label {}", label));
            auto& made = script_.statements[use.statement];
            auto& action = use.arm ? made.arms[*use.arm].action : made.action;
            action.target = found->second;
        }
        return std::move(script_);
    }

  private:
    struct Use {
        Position at;
        std::size_t statement;
        std::optional<std::size_t> arm;
    };

    void statement() {
        const auto begin = reader_.offset();
        made_ = {};
        made_.at = reader_.position();
        const auto word = reader_.word();
        using Member = void (Parser::*)();
        constexpr std::array<std::pair<std::string_view, Member>, 12> words{{
            {"expect", &Parser::expect},
            {"send", &Parser::send},
            {"send-env", &Parser::send_env},
            {"send-file", &Parser::send_file},
            {"set", &Parser::set},
            {"label", &Parser::label},
            {"goto", &Parser::go},
            {"interact", &Parser::interact},
            {"timeout", &Parser::timeout},
            {"close", &Parser::close},
            {"wait", &Parser::wait},
            {"exit", &Parser::end_with_status},
        }};
        for (const auto& [name, member] : words) {
            if (name != word) continue;
            is_label_ = false;
            (this->*member)();
            reader_.expect_line_end();
            if (made_.source.empty()) made_.source = reader_.text_since(begin);
            if (!is_label_) script_.statements.push_back(std::move(made_));
            return;
        }
        reader_.fail(made_.at, fmt::format("unknown word {}: expected expect, send, send-env, "
                                           "send-file, set, label, goto, interact, timeout, close, "
                                           "wait or exit",
                                           word));
    }

    void expect() {
        const bool has_arms = reader_.take_if('{');
        if (has_arms)
            arms();
        else
            made_.arms.emplace_back().pattern = read_pattern(reader_);
        reader_.skip_blanks();
        if (reader_.at_line_end()) return;
        const auto limit = reader_.offset();
        made_.limit = read_duration(reader_);
        if (has_arms) made_.source.append(" ").append(reader_.since(limit));
    }
    void arms() {
        made_.source = "expect {";
        for (reader_.skip_lines(";"); !reader_.take_if('}'); reader_.skip_lines(";")) {
            if (reader_.at_end()) reader_.fail(made_.at, "no } ends this expect {");
            const auto begin = reader_.offset();
            arm();
            reader_.skip_blanks();
            made_.source.append(made_.arms.size() > 1 ? "; " : " ");
            made_.source.append(reader_.text_since(begin));
            if (!reader_.at_line_end() && reader_.peek() != ';' && reader_.peek() != '}')
                reader_.fail(reader_.position(), "expected ; or } or the end of the line here");
        }
        if (made_.arms.empty()) reader_.fail(made_.at, "this expect { } is empty");
        made_.source += " }";
    }
    void arm() {
        Arm arm;
        const auto at = reader_.position();
        if (reader_.peek() == '/') {
            arm.pattern = read_pattern(reader_);
        } else {
            const auto word = reader_.word(" \t\r\n;}-");
            if (word == "timeout")
                arm.event = Arm::Event::timeout;
            else if (word == "eof")
                arm.event = Arm::Event::end;
            else
                reader_.fail(at, "expected /REGEX/, timeout or eof here");
        }
        if (!reader_.take_if('-') || reader_.peek() != '>')
            reader_.fail(reader_.position(), "expected -> and a label, continue or exit N here");
        reader_.take();
        made_.arms.push_back(std::move(arm));
        action();
    }
    void action() {
        auto& action = made_.arms.back().action;
        reader_.skip_blanks();
        const auto at = reader_.position();
        const auto word = reader_.word(arm_ends);
        if (word == "continue") return;
        if (word == "exit") {
            action.kind = Action::Kind::exit;
            action.status = read_status(reader_, arm_ends);
            return;
        }
        require_name(reader_, at, word, "a label, continue or exit N");
        action.kind = Action::Kind::jump;
        uses_.push_back(
            {{at, script_.statements.size(), made_.arms.size() - 1}, std::string{word}});
    }
    void send() {
        made_.kind = Statement::Kind::send;
        made_.text = read_quoted(reader_);
    }
    void send_env() {
        made_.kind = Statement::Kind::send_env;
        made_.name = read_name(reader_, "the name of an environment variable");
    }
    void send_file() {
        made_.kind = Statement::Kind::send_file;
        made_.name = reader_.word();
        if (made_.name.empty()) reader_.fail(reader_.position(), "expected a file's path here");
    }
    void set() {
        made_.kind = Statement::Kind::set;
        made_.name = read_name(reader_, "a variable's name");
        reader_.skip_blanks();
        if (reader_.peek() == '"') {
            made_.text = read_quoted(reader_);
            return;
        }
        const auto at = reader_.position();
        const auto word = reader_.word();
        if (word.size() != 2 || word[0] != '\\' || word[1] < '0' || word[1] > '9')
            reader_.fail(at, "expected \\0 to \\9 or a text in quotes here");
        made_.text = parse_text(word);
    }
    void label() {
        is_label_ = true;
        reader_.skip_blanks();
        const auto at = reader_.position();
        const auto label = read_name(reader_, "a label's name");
        if (label == "continue" || label == "exit")
            reader_.fail(at, fmt::format("a label cannot be called {}", label));
        if (!labels_.emplace(label, script_.statements.size()).second)
            reader_.fail(at, fmt::format("there are two labels {}", label));
    }
    void go() {
        made_.kind = Statement::Kind::go;
        made_.action.kind = Action::Kind::jump;
        reader_.skip_blanks();
        const auto at = reader_.position();
        uses_.push_back(
            {{at, script_.statements.size(), std::nullopt}, read_name(reader_, "a label")});
    }
    void end_with_status() {
        made_.kind = Statement::Kind::go;
        made_.action.kind = Action::Kind::exit;
        made_.action.status = read_status(reader_, ScriptReader::blanks);
    }
    void interact() {
        made_.kind = Statement::Kind::interact;
        reader_.skip_blanks();
        if (reader_.peek() == '/') made_.arms.emplace_back().pattern = read_pattern(reader_);
    }
    void timeout() {
        made_.kind = Statement::Kind::timeout;
        made_.limit = read_duration(reader_);
    }
    void close() { made_.kind = Statement::Kind::close; }
    void wait() {
        made_.kind = Statement::Kind::wait;
        reader_.skip_blanks();
        if (!reader_.at_line_end()) made_.limit = read_duration(reader_);
    }

    ScriptReader reader_;
    Script script_;
    Statement made_;
    bool is_label_ = false;
    std::map<std::string, std::size_t> labels_;
    std::vector<std::pair<Use, std::string>> uses_;
};

} // namespace

Script parse_script(std::string_view source, std::string_view name) {
    return Parser{source, name}.parse();
}

} // namespace ipcbox::expect
