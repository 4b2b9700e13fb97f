from atoms_campaigns_mcp.cli.main import main

if __name__ == "__main__":
    main()
