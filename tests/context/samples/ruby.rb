require "set"
require_relative "pot/leaf"

module Tea
  LIMIT = 3

  class Pot < Vessel
    include Heated
    attr_reader :size, :leaf
    alias_method :empty, :pour

    SIZES = %w[small large].freeze

    def self.brew(leaf)
      new(leaf).pour
    end

    def pour(cup = Cup.new)
      boil(cup)
      cup.fill(LIMIT) do |drop|
        drop.sip
      end
    end

    private

    def warm? = heat > 3

    class << self
      def open
        Pot
      end
    end
  end
end

describe "a pot" do
  it "pours" do
    Tea::Pot.brew(1)
  end
end
